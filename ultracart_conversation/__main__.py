"""`python -m ultracart_conversation`."""

import sys

from ultracart_conversation.cli import main

if __name__ == "__main__":
    sys.exit(main())
