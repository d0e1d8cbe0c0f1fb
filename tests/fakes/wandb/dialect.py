"""How older and self-managed servers say the same: POST /_fake/settings {"dialect": [WORD…]}.

    numbers     ids are JSON numbers (to be set before anything is made)
    text        an empty uploadHeaders is "" and no list
    relative    URLs of objects begin with "/": they are of the server itself
    spaces      URLs have a space in their query, which has to be encoded
"""
WORDS = {"numbers", "text", "relative", "spaces"}


def said(words, value, name=None):
    """The JSON value in the words of a dialect."""
    if isinstance(value, dict):
        return {key: said(words, held, key) for key, held in value.items()}
    if name == "uploadHeaders" and value == [] and "text" in words:
        return ""
    if isinstance(value, list):
        return [said(words, held) for held in value]
    if name == "id" and "numbers" in words and isinstance(value, str) and value.isdigit():
        return int(value)
    return value


def url_in(words, url, base):
    if "relative" in words:
        url = url.removeprefix(base)
    return url + "&name=a b" if "spaces" in words else url
