# syntax=docker/dockerfile:1

# helm and kustomize, built from Go modules that are pinned by the tests' go.sum files.
FROM golang:1.26-bookworm AS tools
WORKDIR /tools
COPY tools.txt tools.txt
COPY image image
COPY tests/control-plane tests/control-plane
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache \
    image/tools bin

# Built on the Debian that it runs on: the binary links the C library.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /trueup
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/trueup/target \
    cargo build --profile dist --locked --bin trueup \
 && cp target/dist/trueup /usr/local/bin/trueup

# Runs with a read-only root file system: the home, with the cache and temporary files, is the one volume.
FROM debian:bookworm-slim
COPY image/system /usr/local/share/trueup/system
RUN /usr/local/share/trueup/system
COPY LICENSE /usr/share/doc/trueup/LICENSE
COPY --from=tools /tools/bin/helm /usr/local/bin/helm
COPY --from=tools /tools/bin/kustomize /usr/local/bin/kustomize
COPY --from=build /usr/local/bin/trueup /usr/local/bin/trueup
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="trueup" \
      org.opencontainers.image.description="Compares Kubernetes clusters with git, and syncs on request" \
      org.opencontainers.image.source="https://github.com/trueup-dev/trueup" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV HOME=/home/trueup TMPDIR=/home/trueup
VOLUME /home/trueup
USER 65532:65532
WORKDIR /home/trueup
ENTRYPOINT ["trueup"]
CMD ["--help"]
