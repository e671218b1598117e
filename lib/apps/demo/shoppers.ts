/**
 * People in the shop: real requests at a steady rate, each answer noted with its time, version and outcome.
 */
import { Agent, request } from 'node:http';

export type Visit = {
  readonly at: number;
  readonly ok: boolean;
  readonly ms: number;
  readonly version: string;
};

export type Shoppers = {
  /** Every visit that ended, oldest first; whoever has counted them may take them out. */
  readonly visits: Visit[];
  stop(): void;
};

/** A visit is bad when it failed, or took longer than this. */
export const slowMs = 1000;

/** Begins to send `perSecond` requests a second to `url`, spread evenly. */
export function sendShoppers(url: string, perSecond: number): Shoppers {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const visits: Visit[] = [];
  let stopped = false;
  const visit = () => {
    const began = performance.now();
    const note = (ok: boolean, version: string) => {
      if (!stopped) visits.push({ at: Date.now(), ok, ms: performance.now() - began, version });
    };
    const call = request(url, { agent, timeout: 10_000 }, (response) => {
      response.resume();
      response.once('end', () => {
        note((response.statusCode ?? 500) < 500, String(response.headers['x-shop-version'] ?? 'none'));
      });
    });
    call.once('timeout', () => call.destroy(new Error('timed out')));
    call.once('error', () => note(false, 'none'));
    call.end();
  };
  const timer = setInterval(visit, 1000 / perSecond);
  return {
    visits,
    stop: () => {
      stopped = true;
      clearInterval(timer);
      agent.destroy();
    },
  };
}

export const isBad = ({ ok, ms }: Visit): boolean => !ok || ms > slowMs;
