/** A nats-server on this machine for as long as the story lasts; Debian's, installed when it is not there. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { debianPackages, installDebianPackages } from '../../../scripts/setup/debian.mjs';
import { freePort } from '../../local/freePort.ts';

export type LocalNats = { readonly url: string; readonly nats: NatsConnection; close(): Promise<void> };

/** Until a started server takes connections. */
const startTriesMax = 200;
const tryMs = 50;

/** There is no nats-server, and it could not be installed. */
export class NatsMissing extends Error {
  override readonly name = 'NatsMissing';
}

/** @throws NatsMissing; Error where the server does not start */
export async function startNats(root: string): Promise<LocalNats> {
  const wanted = debianPackages.filter(({ name }) => name === 'nats-server');
  await installDebianPackages(root, wanted).catch((cause: Error) => {
    throw new NatsMissing('there is no nats-server here: install Debian’s, then start again', { cause });
  });
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'switchback-nats-'));
  const file = join(directory, 'server.conf');
  await writeFile(file, `listen: 127.0.0.1:${port}\njetstream { store_dir: "${join(directory, 'js')}" }\n`);
  const child = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
  const url = `nats://127.0.0.1:${port}`;
  const close = async () => {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const nats = await connected(url, child);
    return {
      url,
      nats,
      async close() {
        await nats.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connected(url: string, child: ChildProcess): Promise<NatsConnection> {
  let ended: string | null = null;
  child.once('error', ({ message }) => {
    ended = message;
  });
  child.once('exit', (code) => {
    ended ??= `it ended with ${code}`;
  });
  for (let tries = 0; tries < startTriesMax && ended === null; tries++) {
    try {
      return await connect({ servers: url });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, tryMs));
    }
  }
  throw new Error(`nats-server does not answer: ${ended ?? `nobody on ${url}`}`);
}
