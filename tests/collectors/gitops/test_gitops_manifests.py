import pytest

from vpemetrics.collectors.gitops.manifests import (
    Unreadable,
    names_of,
    parse_place,
    version_of,
    versions,
)

PLAIN = "image:\n  tag: 1.10\n"
DEPLOYMENT = """
kind: Service
---
kind: Deployment
spec:
  containers:
  - name: web
    image: registry.example:5000/acme/shop:v1.2@sha256:ab
  - name: proxy
    image: envoy:v9
"""
KUSTOMIZE = """
images:
- name: shop
  newTag: v3
- name: cart
  newTag: v4
"""
UMBRELLA = """
shop: {image: {tag: v5}}
cart: {image: {tag: "6"}}
global: {image: {}}
replicas: 2
"""


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        (PLAIN, "image.tag", [({}, "1.10")]),  # a text, not the number 1.1
        (PLAIN, "image", []),
        (PLAIN, "tag", []),
        (PLAIN, "image.tag.more", []),
        (DEPLOYMENT, "spec.containers[0].image", [({}, "v1.2")]),
        (DEPLOYMENT, "spec.containers[name=proxy].image", [({}, "v9")]),
        (DEPLOYMENT, "spec.containers[2].image", []),
        (KUSTOMIZE, "images[name=cart].newTag", [({}, "v4")]),
        (
            KUSTOMIZE,
            "images[name={service}].newTag",
            [({"service": "shop"}, "v3"), ({"service": "cart"}, "v4")],
        ),
        (
            UMBRELLA,
            "{service}.image.tag",
            [({"service": "shop"}, "v5"), ({"service": "cart"}, "6")],
        ),
        ("live: {shop: v1}", "{environment}.shop", [({"environment": "live"}, "v1")]),
        ("", "image.tag", []),
        ("- 1", "image.tag", []),
        ("image: &a {tag: v1}\nother: *a", "other.tag", [({}, "v1")]),
    ],
)
def test_versions_are_found_where_they_stand(
    text: str, place: str, found: list[tuple[dict[str, str], str]]
) -> None:
    assert versions(text, parse_place(place)) == found


@pytest.mark.parametrize(
    ("value", "version"),
    [
        ("v1.2", "v1.2"),
        ("main-4f2c9e1-1700000000", "main-4f2c9e1-1700000000"),
        ("shop:v1", "v1"),
        ("acme/shop", None),
        ("localhost:5000/shop", None),
        ("localhost:5000/shop:v1@sha256:ab", "v1"),
        ("acme/shop@sha256:ab", "sha256:ab"),
        ("", None),
        ("null", None),
        ("two words", None),
    ],
)
def test_the_version_of_an_image_is_its_tag_else_its_digest(
    value: str, version: str | None
) -> None:
    assert version_of(value) == version


def test_templates_are_no_yaml() -> None:
    with pytest.raises(Unreadable, match="is no YAML"):
        versions("image:\n  tag: {{ .Values.tag }}\n{{- end }}", parse_place("image.tag"))


@pytest.mark.parametrize("text", ["a[", "a[x]", "a..b", "[=1]", "a]"])
def test_what_is_no_path_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="no path into YAML"):
        parse_place(text)


def test_a_place_says_what_it_names() -> None:
    assert names_of(parse_place("{environment}.x[name={service}].tag")) == {
        "environment",
        "service",
    }
