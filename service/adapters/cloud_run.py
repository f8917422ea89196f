"""Starts the lanes' jobs on Cloud Run: one call for each start, told how many workers, not waited for.

`jobs.run` makes a new execution at every call, so it is made once and never repeated here. A call whose answer was lost
may have been accepted: that is `Unavailable`, and whoever holds the launch lease decides when to try again. A refusal
that surely started nothing is `Throttled` or `Broken`.
"""

from __future__ import annotations

import logging
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from service.errors import BadInput, Broken, CoursewrightError, Throttled, Unavailable
from service.ports import Lane
from service.settings import Settings
from service.traces import provider_call

log = logging.getLogger(__name__)

RUN_TIMEOUT_SECONDS = 10.0
# Starting with a number of tasks of one's own choice is more than roles/run.invoker may do.
ROLE = "roles/run.jobsExecutorWithOverrides"
PERMISSIONS = ("run.jobs.run", "run.jobs.runWithOverrides")
FORM = "JOBS_URL for Cloud Run is cloudrun://PROJECT/REGION."


def open_cloud_run(settings: Settings) -> CloudRunLauncher:
    """The launcher behind `cloudrun://PROJECT/REGION`; nothing is called yet.

    Raises:
        BadInput: the address cannot be used.
    """
    parts = urlsplit(settings.jobs_url)
    region = parts.path.strip("/")
    query = parse_qs(parts.query)
    endpoint = query.pop("endpoint", [""])[0]
    if not parts.netloc or not region or "/" in region or query:
        raise BadInput(f"{FORM} It is {settings.jobs_url!r} now.")
    if endpoint and settings.production:
        raise BadInput("JOBS_URL: ?endpoint= is for tests. Leave it out; production calls Cloud Run itself.")
    return CloudRunLauncher(parts.netloc, region, endpoint=endpoint)


class CloudRunLauncher:
    """The jobs `author` and `render` of one project and region. With an `endpoint` it calls that, and unsigned."""

    standing = False

    def __init__(
        self, project: str, region: str, *, endpoint: str = "", timeout_seconds: float = RUN_TIMEOUT_SECONDS
    ) -> None:
        self._project, self._region = project, region
        self._endpoint, self._timeout = endpoint, timeout_seconds
        self._lock = threading.Lock()
        self._client: Any = None

    def launch(self, lane: Lane, tasks: int = 1) -> str:
        """Start the lane's job with so many tasks, whatever the job itself says; the execution's name.

        Raises:
            Throttled: Cloud Run takes no more starts now; nothing was started.
            Unavailable: no answer, or one that does not tell whether the job was started.
            Broken: the job is not there or may not be started; nothing was started.
        """
        from google.cloud import run_v2

        name = self.job(lane)
        overrides = run_v2.RunJobRequest.Overrides(task_count=tasks)
        request = run_v2.RunJobRequest(name=name, overrides=overrides)
        # The operation ends with the execution, which may be an hour away; its metadata is the execution as it is now.
        operation = self._call(lane, "run_job", request)
        execution: str = getattr(operation.metadata, "name", "")
        return execution.rpartition("/")[2]

    def missing_permissions(self, lane: Lane) -> list[str]:
        """What this process may not do with the lane's job, of that which `launch` needs.

        Raises:
            Unavailable: Cloud Run does not answer.
            Broken: the job is not there, or nobody is signed in.
        """
        request = {"resource": self.job(lane), "permissions": list(PERMISSIONS)}
        held = set(self._call(lane, "test_iam_permissions", request).permissions)
        return [permission for permission in PERMISSIONS if permission not in held]

    def job(self, lane: Lane) -> str:
        """The full name of the lane's job."""
        return f"projects/{self._project}/locations/{self._region}/jobs/{lane}"

    def close(self) -> None:
        """End the connections that are kept open; a later call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.transport.close()

    def _call(self, lane: Lane, method: str, request: Any) -> Any:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from google.protobuf.json_format import ParseError
        from requests.exceptions import RequestException

        try:
            with provider_call("gcp.run", method, **{"faas.invoked_name": lane, "faas.invoked_region": self._region}):
                client = self._connected()
                return getattr(client, method)(request=request, retry=None, timeout=self._timeout)
        except (GoogleAPIError, GoogleAuthError, RequestException, ParseError) as error:
            raise self._told(lane, error) from error

    def _connected(self) -> Any:
        """The client, made at the first call: its library takes a second to load, which pages need not wait for.

        REST and not gRPC: a channel that lies idle while Cloud Run takes the processor away comes back broken.
        """
        from google.api_core.client_options import ClientOptions
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import run_v2

        with self._lock:
            if self._client is None and self._endpoint:
                options, nobody = ClientOptions(api_endpoint=self._endpoint), AnonymousCredentials()  # type: ignore[no-untyped-call]
                self._client = run_v2.JobsClient(credentials=nobody, transport="rest", client_options=options)
            elif self._client is None:
                self._client = run_v2.JobsClient(transport="rest")
            return self._client

    def _told(self, lane: Lane, error: Exception) -> CoursewrightError:
        """The failure in our own terms; what Google said stays in the log and in the chain."""
        from google.auth.exceptions import DefaultCredentialsError

        log.warning("Cloud Run's job %s in %s: %s", lane, self._region, error)
        code = getattr(error, "code", None)
        place = f"{self._project}/{self._region}"
        if isinstance(error, DefaultCredentialsError):
            return Broken(
                "Nobody is signed in to Google Cloud here. Use gcloud auth application-default login, or run as a "
                "service account."
            )
        if code == 429:
            return Throttled(f"Cloud Run takes no more starts of {lane} now. Try again later.", _after(error))
        if code in (401, 403):
            return Broken(
                f"The job {lane} in {place} may not be started from here. Grant {ROLE} on it to the site's account."
            )
        if code == 404:
            return Broken(f"There is no job {lane} in {place}. Correct JOBS_URL, or make the job with pulumi up.")
        if code is not None and 400 <= code < 500 and code not in (408, 409):
            return Broken(f"Cloud Run refused to start the job {lane} in {place}. Its log says why; mend the job.")
        return Unavailable(f"Cloud Run does not say whether the job {lane} was started. The next sweep looks again.")


def _after(error: Exception) -> float | None:
    """The seconds that a refusal asks to wait, when it says so."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    said = str(headers.get("Retry-After", ""))
    return float(said) if said.isdigit() else None
