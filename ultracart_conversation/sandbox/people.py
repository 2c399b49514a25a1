"""Names and lines for the crowd."""

QUEUES = ("Support", "Sales")
COLLEAGUES = ("Ada Park", "Sam Ortiz", "Mia Chen")

FIRST_NAMES = (
    "Olivia", "Noah", "Amara", "Liam", "Zoë", "Mateo", "Ingrid", "Kofi", "Priya", "Hugo",
    "Aiko", "Diego", "Leïla", "Oskar", "Nadia", "Tomás", "Freya", "Ravi", "Elif", "Jonas",
)  # fmt: skip
LAST_NAMES = (
    "Bennett", "Okafor", "Larsson", "Iyer", "Moreau", "Tanaka", "Reyes", "Novák", "Haddad", "Quinn",
    "Silva", "Weber", "Kaya", "Doyle", "Fischer", "Mbeki", "Rossi", "Lindqvist", "Park", "Abbott",
)  # fmt: skip

QUESTIONS = (
    "Is the cast iron teapot back in stock?",
    "My order has not moved for three days.",
    "Can I change the delivery address?",
    "Which tea would you suggest for the evening?",
    "The coupon from your newsletter does not work.",
    "How do I return a chipped cup?",
)
CUSTOMER_LINES = (
    "Hello? Anybody there?",
    "Thanks, that helps.",
    "The order number is 20251006-118.",
    "It says \u201cpayment declined\u201d, but my card is fine.",
    "Here is a picture of the box.",
    "Could you send me the tracking link?",
    "I would rather have the green one \U0001f375",
    "Merci beaucoup !",
    "How long does delivery to Canada take?",
    "No, the other one.",
    "Great, I will wait for the mail.",
    "That is not what the page says.",
)
AGENT_LINES = (
    "Hi, I am happy to help.",
    "Let me look that up for you.",
    "It left our warehouse this morning.",
    "I have added a coupon to your cart.",
    "Could you tell me the order number?",
    "I am sorry about that. We will send you a new one.",
    "It should arrive on Thursday.",
    "Is there anything else I can do?",
)
TRANSLATIONS = (("fr", "Merci beaucoup !"), ("es", "Muchas gracias."), ("de", "Vielen Dank!"))
