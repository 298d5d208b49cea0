"""Jobs: what prepares the installation, and the backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from leocdp_cli.diagnosis.finding import Finding
from leocdp_cli.kubernetes.cluster import Cluster, condition, name
from leocdp_cli.kubernetes.kubectl import Document

LATEST_BACKUP: Final = timedelta(hours=26)
"""How old the last one may be, as in the alert LeoCdpBackupMissing."""


def jobs(cluster: Cluster, now: datetime) -> Iterator[Finding]:
    for each in cluster.of("jobs"):
        if not _scheduled(each):
            yield _job(cluster, each)
    for each in cluster.of("cronjobs"):
        if name(each) == "backup":
            yield _backup(cluster, each, now)


def _scheduled(job: Document) -> bool:
    return any(owner["kind"] == "CronJob" for owner in job["metadata"].get("ownerReferences", []))


def _job(cluster: Cluster, job: Document) -> Finding:
    what = f"job {name(job)}"
    failed = condition(job, "Failed")
    logs = cluster.run(f"logs job/{name(job)} --all-containers")
    if failed.get("status") == "True":
        again = f"{cluster.run(f'delete job {name(job)}')}, then `kubectl apply -k {cluster.folder}`"
        if name(job) != "prepare":
            again = f"{cluster.run(f'delete job {name(job)}')}, and make it again"
        return Finding(what, False, f"has failed: {failed.get('message', '')}. Why: {logs}. Afterwards {again}")
    if condition(job, "Complete").get("status") == "True":
        return Finding(what, True, "is done")
    return Finding(what, True, f"is at work: {logs}")


def _backup(cluster: Cluster, cron: Document, now: datetime) -> Finding:
    what = "backup"
    if cron["spec"].get("suspend"):
        return Finding(
            what, False, f"none is made, as during a restore; afterwards `kubectl apply -k {cluster.folder}`"
        )
    last = cron.get("status", {}).get("lastSuccessfulTime")
    since = _time(last or cron["metadata"]["creationTimestamp"])
    if now - since <= LATEST_BACKUP:
        return Finding(what, True, f"the last one was made at {last}" if last else "none is due yet")
    told = f"since {last}" if last else "yet"
    logs = cluster.run("logs -l app.kubernetes.io/name=backup -c backup --tail=3")
    again = cluster.run("create job backup-now --from=cronjob/backup")
    return Finding(what, False, f"none was made {told}: {logs} says why. Then {again}")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
