/**
 * A lock that dies with its holder. It is a listening socket with a name and no file: the system lets one
 * process have it and takes it away when that process ends, however it ends, so no stale lock can be left by
 * an interrupted install. Who waits is connected to the holder and is told by the connection's end.
 */
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Resolves with the function that releases the lock, once it is ours.
 * @param onWait called once, when somebody else holds it
 */
export async function holdLock(name, onWait) {
  const path = address(name);
  for (let waits = 0; ; waits++) {
    const release = await take(path);
    if (release !== null) return release;
    if (waits === 0) onWait();
    await untilReleased(path);
  }
}

function address(name) {
  // Node 20 pads an abstract name with zeros to 108 bytes (sun_path), Node 24 takes it as it is: padding it
  // here gives one name to both, and a clone is set up by both.
  if (process.platform === 'linux') return `\0switchback-${name}`.padEnd(108, '\0');
  if (process.platform === 'win32') return `\\\\.\\pipe\\switchback-${name}`;
  return join(tmpdir(), `switchback-${name}.sock`);
}

function take(path) {
  return new Promise((resolve, reject) => {
    const waiting = new Set();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on('error', () => undefined).on('close', () => waiting.delete(socket));
    });
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen(path, () => {
      resolve(() => {
        server.close();
        for (const socket of waiting) socket.destroy();
      });
    });
  });
}

function untilReleased(path) {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('error', (error) => {
      // Only where the name is a file can it outlive its holder.
      if (error.code === 'ECONNREFUSED' && path.startsWith(tmpdir())) rmSync(path, { force: true });
    });
    socket.on('close', () => setTimeout(resolve, 20)); // 20 ms: the holder closes before it stops listening
    socket.resume();
  });
}
