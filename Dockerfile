# The bridge as a container: one bundled file on a distroless Node, no shell, no package manager, not root. It writes
# nothing, so ECS runs it with readonlyRootFilesystem; its configuration is mounted or baked in at /etc/bridge.
FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY lib ./lib
COPY events ./events
COPY tsconfig.json ./
RUN npx esbuild lib/apps/bridge/main.ts --bundle --platform=node --target=node24 --format=esm --minify \
    --main-fields=module,main --outfile=out/main.mjs \
    --banner:js="import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" \
 && cp package.json out/package.json

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=build /src/out ./
ENV NODE_ENV=production BRIDGE_CONFIG=/etc/bridge/bridge.yml
EXPOSE 8080
# Node is process 1 and takes SIGTERM itself: it drains and ends within the stop timeout.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["/nodejs/bin/node", "-e", "fetch('http://127.0.0.1:8080/live').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
CMD ["main.mjs", "run"]
