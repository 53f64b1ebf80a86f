"""Gives schemathesis ids that exist, so that it gets past the first "there is no such thing".

Invariant: only what is meant to be right is replaced, by what the schema allows; what is meant to be wrong stays wrong.
"""

import json
import os
import random
import re
import urllib.request

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

BASE = os.environ["FULMAR_BASE"]
KEY = os.environ["FULMAR_KEY"]
# The same ids in the same order in every run.
CHOICE = random.Random(20260105)
# Of ten requests, this many name something that exists.
KNOWN = 7


def get(path):
    request = urllib.request.Request(BASE + path, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = json.load(answer)
    return body["data"] if isinstance(body, dict) and "data" in body else body


def collect():
    """Ids of the demo shop by the prefix of their type, and the codes of its SKUs and locations."""
    found = {}

    def walk(value):
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, str) and len(value) == 17 and value[3] == "_":
            ids = found.setdefault(value[:3], [])
            if value not in ids:
                ids.append(value)

    orders = get("/v1/orders?limit=60")
    walk(orders)
    for path in ("fulfilments", "shipments", "returns", "customers", "mails", "webhooks", "locations", "stock?limit=100"):
        walk(get(f"/v1/{path}"))
    for order in found.get("ord", [])[:40]:
        walk(get(f"/v1/orders/{order}/payments"))
    for shipment in found.get("shp", [])[:20]:
        walk(get(f"/v1/shipments/{shipment}"))
    found["sku_code"] = [sku["code"] for sku in get("/v1/skus?limit=50")]
    found["location_code"] = [location["code"] for location in get("/v1/locations")]
    return found


FOUND = collect()
# What a path parameter that is no id names.
BY_PATH = {
    ("/v1/skus/{code}", "code"): FOUND["sku_code"],
    ("/v1/stock/{sku}/movements", "sku"): FOUND["sku_code"],
    ("/v1/locations/{code}", "code"): FOUND["location_code"],
    ("/v1/mail-templates/{name}", "name"): ["order_placed", "shipment_shipped", "shipment_delivered", "return_label_bought", "payment_refunded"],
    ("/v1/webhooks/gateways/{gateway}", "gateway"): ["sandbox", "manual"],
    ("/v1/webhooks/carriers/{carrier}", "carrier"): ["swift", "post"],
    ("/v1/books/periods/{month}/close", "month"): ["2020-01", "2020-02"],
}


# As in the document. Schemathesis takes headers for letters and digits, and drops a pattern that wants quotation marks.
ETAG = re.compile(r'\*|(W/)?"[0-9]{1,18}"')
ETAGS = ['"1"', '"2"', 'W/"3"', "*"]


def known(path, name, value):
    choices = BY_PATH.get((path, name)) or FOUND.get(str(value)[:3] if str(value)[3:4] == "_" else "")
    return CHOICE.choice(choices) if choices and CHOICE.randrange(10) < KNOWN else value


def in_body(name, value):
    if isinstance(value, dict):
        return {key: in_body(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [in_body(name, item) for item in value]
    if isinstance(value, str):
        if name == "sku" and CHOICE.randrange(10) < KNOWN:
            return CHOICE.choice(FOUND["sku_code"])
        if len(value) == 17 and value[3] == "_":
            return known("", name, value)
    return value


def is_valid(case, location):
    component = case.meta.components.get(location) if case.meta else None
    return component is not None and component.mode == GenerationMode.POSITIVE


@schemathesis.hook
def map_case(context, case):
    if case.path_parameters and is_valid(case, ParameterLocation.PATH):
        path = case.operation.path
        case.path_parameters = {name: known(path, name, value) for name, value in case.path_parameters.items()}
    if case.headers and "If-Match" in case.headers and is_valid(case, ParameterLocation.HEADER):
        if not ETAG.fullmatch(str(case.headers["If-Match"])):
            case.headers["If-Match"] = CHOICE.choice(ETAGS)
    if is_valid(case, ParameterLocation.BODY):
        # Schemathesis judges anew whatever is set, and takes a body that may be absent, and is, for a wrong one.
        body = in_body("", case.body)
        if body != case.body:
            case.body = body
    return case
