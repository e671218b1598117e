/**
 * What a nats-server can do, by version. The client library does not refuse everything that an older server
 * lacks, and some of it fails silently: `+TERM reason` to 2.9 is ignored, and the message comes again.
 */

export type ServerFeature = 'several filters' | 'compression' | 'first sequence' | 'term with a reason';

const SINCE: Readonly<Record<ServerFeature, readonly [number, number, number]>> = {
  'several filters': [2, 10, 0],
  compression: [2, 10, 0],
  'first sequence': [2, 10, 0],
  'term with a reason': [2, 10, 4],
};

/** @param version as the server announces it: `2.9.10`, `2.11.0-beta.1` */
export function supports(version: string, feature: ServerFeature): boolean {
  const have = version.split(/[.-]/).map(Number);
  for (const [index, want] of SINCE[feature].entries()) {
    const part = have[index] ?? 0;
    if (part !== want) return part > want;
  }
  return true;
}

/** The configuration asks for something the server cannot do. */
class ServerTooOld extends Error {
  override readonly name = 'ServerTooOld';

  constructor(feature: ServerFeature, version: string) {
    super(`${feature} needs nats-server ${SINCE[feature].join('.')} or later, and this one is ${version}`);
  }
}

/** @throws ServerTooOld */
export function demand(version: string, feature: ServerFeature): void {
  if (!supports(version, feature)) throw new ServerTooOld(feature, version);
}
