# mypy: disable-error-code="import-untyped"
"""Runs calls with UltraCart's own client, in a process of its own, and prints what it read.

`python official_client.py BASE_URL API_KEY` reads a JSON list of calls from stdin, each
`{"operation": name, "arguments": {…}}` with the names of UltraCart's documents; `start_request`, `join_request`
and `status_request` are given as plain objects. It prints a JSON list with, for every call, `{"result": …}` (None
for a void operation) or `{"error": type, "status": …, "body": …}`. The client's response type checks are on.
"""

import json
import sys
from typing import Any

from ultracart.api.conversation_api import ConversationApi
from ultracart.api_client import ApiClient
from ultracart.configuration import Configuration
from ultracart.exceptions import ApiException, OpenApiException
from ultracart.model.conversation_join_request import ConversationJoinRequest
from ultracart.model.conversation_start_request import ConversationStartRequest
from ultracart.model.conversation_webchat_queue_status_update_request import (
    ConversationWebchatQueueStatusUpdateRequest,
)

REQUESTS = {
    "start_request": ConversationStartRequest,
    "join_request": ConversationJoinRequest,
    "status_request": ConversationWebchatQueueStatusUpdateRequest,
}


def connect(base_url: str, api_key: str) -> ConversationApi:
    configuration = Configuration(host=base_url)
    configuration.api_key["ultraCartSimpleApiKey"] = api_key
    client = ApiClient(configuration, header_name="X-UltraCart-Api-Version", header_value="2017-03-01")
    return ConversationApi(client)


def perform(api: ConversationApi, call: dict[str, Any]) -> dict[str, Any]:
    arguments = {
        name: REQUESTS[name](**value) if name in REQUESTS else value for name, value in call["arguments"].items()
    }
    try:
        result = getattr(api, call["operation"])(**arguments, _check_return_type=True, _request_timeout=10)
    except ApiException as error:
        return {"error": type(error).__name__, "status": error.status, "body": error.body}
    except OpenApiException as error:
        return {"error": type(error).__name__, "status": None, "body": str(error)}
    return {"result": None if result is None else result.to_dict()}


def main() -> None:
    api = connect(*sys.argv[1:])
    calls = json.load(sys.stdin)
    json.dump([perform(api, call) for call in calls], sys.stdout)


if __name__ == "__main__":
    main()
