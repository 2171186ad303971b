from tests.api.conftest import hub, sign_in, stranger, synced_home

__all__ = ["hub", "sign_in", "stranger", "synced_home"]
