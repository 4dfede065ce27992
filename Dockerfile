# One image for every role: `docker run … run probe`, `run ingest`, `run count`, `run derive`, `run web`,
# `migrate`.
# Without the embedded PostgreSQL, Kafka and Java: those are for `make run`.

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.13-slim
LABEL org.opencontainers.image.title="continuity-monitor" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 monitor \
    && useradd --uid 10001 --gid monitor --no-create-home --home-dir /data --shell /usr/sbin/nologin monitor \
    && install -d -o monitor -g monitor -m 0700 /data /fleet /public \
    && install -d -o monitor -g monitor -m 0755 /tokens
COPY --from=build /venv /venv
WORKDIR /app
COPY LICENSE ./
COPY probes probes
COPY monitor monitor
COPY dashboards/generated dashboards/generated
COPY config config
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CONTINUITY_DATA=/data
RUN python -m compileall -q probes monitor
USER 10001:10001
VOLUME ["/data"]

# Each role answers on the port of its own pulse (8441 probe, 8442 ingest, 8443 derive, 8444 web,
# 8445 count, 8446 notify, 8447 report): HEALTH_PORT says which. It asks whether the process lives, not
# whether what it needs is there: /readyz says that.
ENV HEALTH_PORT=8444
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['HEALTH_PORT'] + '/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "monitor"]
CMD ["--help"]
