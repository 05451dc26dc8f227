# The server as an image: everything is built from the sources beside this file.
#
#   docker build -t nats-streaming-server .
#   docker run --rm -p 4222:4222 -p 8222:8222 -v stan-data:/data nats-streaming-server -m 8222 -store file -dir /data
#
# Debian and not Alpine: the locks of the file store come as a binary for glibc.
FROM node:20.20-bookworm AS build
WORKDIR /src
COPY . .
RUN npx --yes "$(node -p 'require("./package.json").packageManager')" install --frozen-lockfile \
  && npx pnpm build \
  && node scripts/pack/pack.mjs /tarballs \
  && rm /tarballs/nats-streaming-store-conformance-*.tgz
# From the packed tarballs, as a user installs it; with the clients of PostgreSQL and MySQL.
WORKDIR /opt/nats-streaming
RUN npm init --yes \
  && npm install --omit=dev --no-audit --no-fund /tarballs/*.tgz pg@8 mysql2@3 \
  && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/build/Release/obj

FROM node:20.20-bookworm-slim
LABEL org.opencontainers.image.title="nats-streaming-server" \
  org.opencontainers.image.licenses="Apache-2.0"
RUN mkdir /data && chown node:node /data
COPY --from=build /opt/nats-streaming /opt/nats-streaming
ENV NODE_ENV=production \
  MONITOR_PORT=8222 \
  PATH=/opt/nats-streaming/node_modules/.bin:$PATH
USER node
WORKDIR /data
VOLUME /data
# Clients, routes of the embedded NATS server, monitoring.
EXPOSE 4222 6222 8222
# An orderly end with status 0; SIGTERM does the same with status 143.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=3s --retries=6 \
  CMD node -e "fetch('http://127.0.0.1:$MONITOR_PORT/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"
# The file itself and not the command: the server is process 1 and gets the signals.
ENTRYPOINT ["node", "/opt/nats-streaming/node_modules/@nats-streaming/server/bin/nats-streaming-server.js"]
CMD ["-m", "8222"]
