"""What surrounds the payload of a reply."""

import attrs

from ultracart_conversation.models.model import Model


@attrs.frozen(kw_only=True, repr=False)
class Error(Model):
    """Why the service refused. Real errors carry only the two messages (documented by captured traffic)."""

    developer_message: str | None = None
    error_code: str | None = None
    more_info: str | None = None
    object_id: str | None = None
    user_message: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class Warning(Model):  # noqa: A001
    """A remark that accompanies a success."""

    more_info: str | None = None
    warning_code: str | None = None
    warning_message: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ResultSet(Model):
    """Where a page lies in its list: offsets count rows from zero."""

    count: int | None = None
    limit: int | None = None
    more: bool | None = None
    next_offset: int | None = None
    offset: int | None = None
    total_records: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class ResponseMetadata(Model):
    """The name of the payload and, for lists, the place of this page."""

    payload_name: str | None = None
    result_set: ResultSet | None = None


@attrs.frozen(kw_only=True, repr=False)
class Response(Model):
    """The envelope of most replies."""

    error: Error | None = None
    metadata: ResponseMetadata | None = None
    success: bool | None = None
    warning: Warning | None = None
