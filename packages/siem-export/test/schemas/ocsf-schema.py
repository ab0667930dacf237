"""Writes ocsf-1.8.0.json: JSON schemas of the OCSF classes that the format `ocsf` uses, from the published schema.

    pip install ocsf-json-schema==1.2.0 && python3 ocsf-schema.py

That package carries the export of schema.ocsf.io and turns it into JSON Schema. What is changed here: the objects
of all classes stand together once, titles are left out, and the captions of classes and activities are added.
"""

import json
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.8.0"
PROFILES = ["host"]
CLASSES = [0, 1008, 2004, 3001, 3002, 3004, 3005, 3006, 6001]


def without_titles(schema):
    if isinstance(schema, list):
        return [without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_titles(value)
        for key, value in schema.items()
        # A property may be called `title` too: that one is an object.
        if not (key == "title" and isinstance(value, str))
    }


published = get_ocsf_schema(version=VERSION)
schemas = OcsfJsonSchemaEmbedded(published)
names = {entry["uid"]: name for name, entry in published["classes"].items()}
objects, classes = {}, {}
for uid in CLASSES:
    schema = without_titles(schemas.get_class_schema(class_name=names[uid], profiles=PROFILES))
    for name, definition in schema.pop("$defs").items():
        assert objects.setdefault(name, definition) == definition, name
    source = published["classes"][names[uid]]
    activities = source["attributes"]["activity_id"]["enum"]
    classes[uid] = {
        "caption": source["caption"],
        "category": source["attributes"]["category_uid"]["enum"][str(source["category_uid"])]["caption"],
        "activities": {key: activities[key]["caption"] for key in sorted(activities, key=int)},
        "schema": schema,
    }

with open(f"ocsf-{VERSION}.json", "w", encoding="utf-8") as file:
    bundle = {
        "source": f"Open Cybersecurity Schema Framework {VERSION}, https://schema.ocsf.io, Apache-2.0",
        "version": VERSION,
        "profiles": PROFILES,
        "objects": dict(sorted(objects.items())),
        "classes": classes,
    }
    json.dump(bundle, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")
