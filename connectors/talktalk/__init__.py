"""Naver TalkTalk, the chat of Korean shops."""

from connectors.talktalk.connector import MANIFEST

__all__ = ["MANIFEST"]
