# syntax=docker/dockerfile:1

# Dependencies and warm compile cache. Node runs the TypeScript sources as they are: there is nothing to compile.
FROM node:24-slim AS build
RUN mkdir /app && chown node:node /app
# The cache's folder is named after the user id too: it must be warmed by the user who will read it.
USER node
WORKDIR /app
COPY --chown=node:node package.json package-lock.json ./
# The devDependency `node` stays out: the base image's Node 24 runs the program.
RUN npm ci --omit=dev --no-audit --no-fund
COPY --chown=node:node config config
COPY --chown=node:node locales locales
COPY --chown=node:node public public
COPY --chown=node:node src src
COPY --chown=node:node views views
COPY --chown=node:node scripts/warm-cache.ts scripts/
# Node keeps the cache for its owner alone; the owner will be root.
# And compiled code fits only the flags it was compiled under. A small young generation keeps memory down under load.
ENV NODE_OPTIONS=--max-semi-space-size=16
RUN NODE_COMPILE_CACHE=/app/.compile-cache node scripts/warm-cache.ts && rm -r scripts && chmod -R a+rX .compile-cache

FROM node:24-slim
ENV NODE_ENV=production \
    NODE_OPTIONS='--max-semi-space-size=16 --v8-pool-size=1' \
    NODE_COMPILE_CACHE=/app/.compile-cache \
    GATEHOUSE_DATA_DIR=/data
RUN mkdir -m 700 /data && chown node:node /data
# Owned by root: the program cannot change itself, with or without a read-only root file system.
COPY --from=build --chown=root:root /app /app
WORKDIR /app
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "const { GATEHOUSE_ISSUER: issuer = 'http://localhost', GATEHOUSE_PORT: port = 3000 } = process.env; fetch(`http://127.0.0.1:${port}${new URL(issuer).pathname.replace(/\\/$/, '')}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.js"]
