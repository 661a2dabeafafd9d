"""Small files inside a page's HTML."""

import base64


def data_uri(kind: str, content: bytes) -> str:
    """Make a data: address (RFC 2397).

    Args:
        kind: The file's media type, such as "image/png".
        content: The file's content.
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
