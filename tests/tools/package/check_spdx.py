# SPDX-License-Identifier: Apache-2.0
"""check_spdx.py SBOM NOTICES: the SBOM has what SPDX 2.3 asks for, and both name the same parts."""
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    sbom = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    notices = file.read()
assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["dataLicense"] == "CC0-1.0" and sbom["SPDXID"] == "SPDXRef-DOCUMENT"
ids = [package["SPDXID"] for package in sbom["packages"]]
assert len(set(ids)) == len(ids) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in ids)
texts = {info["licenseId"]: info["extractedText"] for info in sbom["hasExtractedLicensingInfos"]}
assert all(texts.values())
for package in sbom["packages"]:
    declared = package["licenseDeclared"]
    assert declared in texts if declared.startswith("LicenseRef-") else re.fullmatch(r"[\w.() +-]+", declared), package
    assert package["name"] == "llcuda" or f"  {package['name']} {package.get('versionInfo', '')}" in notices, package
contained = {link["relatedSpdxElement"] for link in sbom["relationships"] if link["relationshipType"] == "CONTAINS"}
assert contained == set(ids) - {"SPDXRef-llcuda"}
assert "Apache License" in notices and "MIT" in notices
