/** Version of this server, as `-version`, the banner and monitoring show it. */
export const SERVER_VERSION = "0.1.0";

/** The nats-server release whose behaviour the embedded NATS server has. */
export const NATS_VERSION = "2.9.10";

/** The program's name in messages. */
export const PROGRAM = "nats-streaming-server";

/** The line of `-version`. */
export const versionText: string = `${PROGRAM} version ${SERVER_VERSION}, nats-server: v${NATS_VERSION}-compatible`;
