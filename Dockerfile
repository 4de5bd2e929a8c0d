# One image per service: docker build --target watcher|gateway|standalone .
# The classic builder and BuildKit both build it.

# Node comes from PyPI, as in `make setup`: the page needs no other image.
FROM python:3.13-slim AS page
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# npm trusts whom the image trusts, as pip does.
ENV NODE_USE_SYSTEM_CA=1
WORKDIR /build/dashboard
RUN python -m venv /build/tools
ENV PATH="/build/tools/bin:$PATH"
COPY requirements-node.lock ./
RUN pip install --quiet --require-hashes --no-deps -r requirements-node.lock
COPY dashboard/package.json dashboard/package-lock.json dashboard/.npmrc ./
RUN npm ci --omit=dev --loglevel=error
COPY dashboard ./
# Into ../services/gateway/src/gateway/page.
RUN npm run --silent build -- --logLevel warn

FROM python:3.13-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# The tools stay here; /opt/reportcast gets neither pip nor a build backend.
RUN python -m venv tools && python -m venv --without-pip /opt/reportcast
ENV PATH="/build/tools/bin:$PATH"
COPY requirements-build.lock requirements.lock ./
RUN pip install --quiet --require-hashes --no-deps -r requirements-build.lock \
 && pip --python /opt/reportcast/bin/python install --quiet --require-hashes --no-deps -r requirements.lock
COPY libs libs
COPY services services
COPY --from=page /build/services/gateway/src/gateway/page services/gateway/src/gateway/page
RUN pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheels \
      ./libs/reportcast ./libs/client ./services/watcher ./services/gateway ./services/standalone ./libs/cli \
 && pip --python /opt/reportcast/bin/python install --quiet --no-deps --no-index wheels/*.whl

FROM python:3.13-slim AS runtime
ENV PATH="/opt/reportcast/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=builder /opt/reportcast /opt/reportcast
# For HISTORY_DIR: a new volume that is mounted here belongs to the user below, too.
RUN install --directory --owner=10001 --group=10001 /history
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM

FROM runtime AS watcher
ENV WATCHER_HOST=0.0.0.0
EXPOSE 9101
HEALTHCHECK --interval=5s --timeout=2s --start-period=20s --retries=3 \
  CMD ["python", "-IS", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9101/readyz')"]
ENTRYPOINT ["reportcast-watcher"]

FROM runtime AS gateway
ENV GATEWAY_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=2s --start-period=20s --retries=3 \
  CMD ["python", "-IS", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz')"]
ENTRYPOINT ["reportcast-gateway"]

FROM runtime AS standalone
ENV GATEWAY_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=2s --start-period=20s --retries=3 \
  CMD ["python", "-IS", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/readyz')"]
ENTRYPOINT ["reportcast", "up"]
