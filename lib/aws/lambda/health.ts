import type { Health } from '../../ports.ts';

/** How long a healthy service may take to say so. */
const answerMsMax = 5000;

export const httpHealth: Health = {
  async check(url) {
    try {
      const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) });
      return { ok, what: String(status) };
    } catch (error) {
      return { ok: false, what: (error as Error).message };
    }
  },
};
