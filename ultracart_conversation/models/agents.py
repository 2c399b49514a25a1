"""The agent's authorization to open the websocket."""

from typing import ClassVar

import attrs

from ultracart_conversation.models.envelope import Response
from ultracart_conversation.models.model import Model, hidden, without_query


@attrs.frozen(kw_only=True, repr=False)
class ConversationAgentAuthMerchant(Model):
    """A merchant account that the agent may serve."""

    company: str | None = None
    is_parent: bool | None = None
    merchant_id: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationTwilioAccount(Model):
    """The numbers that the agent may text from, for one merchant."""

    merchant_id: str | None = None
    twilio_phone_numbers: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class ConversationAgentAuth(Model):
    """Who the agent is, and the `jwt` and `websocket_url` to come online with. Tokens stay out of the `repr`."""

    chat_admin: bool | None = None
    chat_user: bool | None = None
    conversation_participant_arn: str | None = None
    conversation_participant_name: str | None = None
    customer_profile: bool | None = None
    default_phone_number: str | None = None
    group_ids: tuple[int, ...] = ()
    jwt: str | None = attrs.field(default=None, repr=hidden)
    merchant_id: str | None = None
    merchants: tuple[ConversationAgentAuthMerchant, ...] = ()
    parent_merchant_id: str | None = None
    pbx_admin: bool | None = None
    pbx_jwt: str | None = attrs.field(default=None, repr=hidden)
    pbx_supervisor: bool | None = None
    pbx_user: bool | None = None
    pbx_voice_identity: str | None = None
    pbx_voice_token: str | None = attrs.field(default=None, repr=hidden)
    pbx_worker_token: str | None = attrs.field(default=None, repr=hidden)
    pbx_worker_token_v2: str | None = attrs.field(default=None, repr=hidden)
    twilio_accounts: tuple[ConversationTwilioAccount, ...] = ()
    user_id: int | None = None
    websocket_url: str | None = attrs.field(default=None, repr=without_query)


@attrs.frozen(kw_only=True, repr=False)
class ConversationAgentAuthResponse(Response):
    """Reply to `get_agent_websocket_authorization`."""

    wraps: ClassVar[str | None] = "agent_auth"

    agent_auth: ConversationAgentAuth | None = None
