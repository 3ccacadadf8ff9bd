import pytest

from tests.support.fault_inputs import TABLES, workbooks


@pytest.fixture(scope="session")
def inputs():
    return {**TABLES, **workbooks()}


@pytest.fixture
def file(tmp_path, inputs):
    """Write an input and give its path."""

    def write(name, content=None):
        path = tmp_path / name
        path.write_bytes(inputs[name] if content is None else content)
        return path

    return write
