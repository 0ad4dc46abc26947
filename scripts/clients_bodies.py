"""Writes the bodies of the reference's examples and of the quickstart as TypeScript, so that tsc says whether each is
of the type that a client takes: python scripts/clients_bodies.py SCHEMA QUICKSTART."""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Body = tuple[str, str, Any]  # the path, the method, the body


def examples(document: dict[str, Any]) -> Iterator[Body]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for each in content.get("examples", {}).values():
                yield path, method, each["value"]


def of_curl(text: str) -> Iterator[Body]:
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        found = re.search(r'curl .*?-X (\w+) "\$BASE(/[^"?]*)".*?-d \'(.*?)\'', block, re.DOTALL)
        if found:
            yield f"/api/v1{found[2]}", found[1].lower(), json.loads(found[3])


def of_python(text: str) -> Iterator[Body]:
    """The bodies of `call(METHOD, PATH, BODY)`; what is only known when it runs is a text of its type."""
    tree = ast.parse("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)))
    named = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "call" and len(node.args) == 3:
            method, path, body = (_value(each, named) for each in node.args)
            if isinstance(body, dict):
                yield f"/api/v1{path}", method.lower(), body


def _value(node: ast.expr, named: dict[str, ast.expr]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Dict():
            return {
                _value(key, named): _value(value, named)
                for key, value in zip(node.keys, node.values, strict=True)
                if key
            }
        case ast.List():
            return [_value(each, named) for each in node.elts]
        case ast.Name() if isinstance(named.get(node.id), ast.Dict):
            return _value(named[node.id], named)
        case ast.JoinedStr():
            return "".join(each.value if isinstance(each, ast.Constant) else "{id}" for each in node.values)
    return "text"


def _template(path: str, paths: dict[str, Any]) -> str:
    """The path of the reference that this one is of."""
    matching = (each for each in paths if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(each)), path))
    return path if path in paths else next(matching, path)


def main(schema: str, quickstart: str) -> None:
    document, text = json.loads(Path(schema).read_text()), Path(quickstart).read_text()
    paths = document["paths"]
    told = [*of_curl(text), *of_python(text)]
    assert len(told) > 6, told  # else the page has another shape by now
    print('import type { paths } from "./schema.js";')
    print('type Body<O> = O extends { requestBody?: { content: { "application/json": infer B } } } ? B : never;')
    for number, (path, method, body) in enumerate((*examples(document), *told)):
        of_path = json.dumps(_template(path, paths))
        print(f'export const body{number}: Body<paths[{of_path}]["{method}"]> = {json.dumps(body, indent=2)};')


main(*sys.argv[1:])
