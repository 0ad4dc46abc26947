"""What FieldCamp's own API answers, out of its envelope."""


def data(response, status: int = 200) -> dict:
    assert response.status_code == status, response.content
    body = response.json()
    assert body["success"] is True and body["meta"]["request_id"] == response["X-Request-Id"]
    return body["data"]


def details(response, status: int = 400, code: str = "VALIDATION_ERROR") -> dict:
    assert response.status_code == status, response.content
    assert response.json()["error"]["code"] == code
    return response.json()["error"]["details"]
