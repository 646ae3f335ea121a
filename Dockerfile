# syntax=docker/dockerfile:1
# The bot alone: no tests, no sandbox, no compiler. Data lives in /data, the only place it writes.

ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS packages
WORKDIR /build
COPY requirements-postgres.lock ./
RUN python -m venv /opt/easel \
    && /opt/easel/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements-postgres.lock

FROM python:${PYTHON_VERSION}-slim
LABEL org.opencontainers.image.title="Easel" \
      org.opencontainers.image.description="A Discord picture bot on ImageRouter with honest books" \
      org.opencontainers.image.licenses="MIT"
ENV PATH="/opt/easel/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL="sqlite:////data/bot.db" \
    HTTP_HOST="0.0.0.0" \
    HTTP_PORT="8000"
# Names in charts, and texts in pictures, are written in every script and with emoji. Debian keeps no
# older version of a package, so that a pinned one would stop the build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-noto-color-emoji fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 easel \
    && useradd --uid 10001 --gid easel --home-dir /data --no-create-home --shell /usr/sbin/nologin easel \
    && install --directory --owner=easel --group=easel --mode=0700 /data
WORKDIR /app
COPY --from=packages /opt/easel /opt/easel
COPY LICENSE ./
COPY migrations ./migrations
COPY bot ./bot
COPY cogs ./cogs
# With PostgreSQL, the list of models is kept in data/ of the working folder.
RUN ln -s /data data
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
# The first signal waits for pictures that are paid for; give it the time (see docker-compose.yml).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['HTTP_PORT']}/healthz\", timeout=4)"]
CMD ["python", "-m", "bot", "run"]
