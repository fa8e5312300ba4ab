# syntax=docker/dockerfile:1

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

# git and ssh are programs that the binary runs: git for file and ssh transports, and where its own git cannot;
# the certificates are what it checks a server's against.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 65532 --user-group --create-home --home-dir /home/trueup trueup
COPY --from=build /usr/local/bin/trueup /usr/local/bin/trueup
COPY LICENSE /usr/share/doc/trueup/LICENSE
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /home/trueup
ENTRYPOINT ["trueup"]
CMD ["--help"]
