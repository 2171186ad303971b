from tests.api.conftest import hub, sign_in, stranger

__all__ = ["hub", "sign_in", "stranger"]
