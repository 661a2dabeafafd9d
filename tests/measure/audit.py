"""`make audit`: known vulnerabilities in what is installed, by pip-audit.

Exit status 0: none known. 1: some are, listed. 2: not or only partly audited, because the advisory service did not
answer; pip-audit itself ends with 0 where the service knows no package at all, as behind a package mirror.
"""

import json
import subprocess
import sys
import sysconfig


def verdict(output: str, complaint: str) -> tuple[int, str]:
    """Exit status and words for pip-audit's JSON; complaint: what it said on the side."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        last = complaint.strip().splitlines()[-1:] or ["no reason given"]
        return 2, f"NOT AUDITED: the advisory service could not be asked ({last[0][:300]})"
    lines = [
        f"{package['name']} {package['version']}: {vuln['id']}, fixed in {', '.join(vuln['fix_versions']) or 'nothing'}"
        for package in packages
        for vuln in package.get("vulns", [])
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        names = ", ".join(skipped[:5]) + (", ..." if len(skipped) > 5 else "")
        lines.append(f"NOT AUDITED: {len(skipped)} of {len(packages)} packages, of which no advisory came: {names}")
    else:
        lines.append(f"{len(packages)} packages audited")
    vulnerable = any("vulns" in package and package["vulns"] for package in packages)
    return 1 if vulnerable else 2 if skipped else 0, "\n".join(lines)


def main() -> int:
    """Audit this Python's packages."""
    command = [sys.executable, "-m", "pip_audit", "--path", sysconfig.get_path("purelib"), "--format", "json"]
    done = subprocess.run([*command, "--progress-spinner", "off"], capture_output=True, text=True)
    status, words = verdict(done.stdout, done.stderr)
    print(words)
    return status


if __name__ == "__main__":
    sys.exit(main())
