/**
 * Waiting in a test that has a real process or socket in it: for the event itself, looked for every 10 ms, up
 * to a deadline. Where a clock can be injected, move a `VirtualClock` instead.
 */

/**
 * Resolves with the first answer of `look` that is neither undefined, null nor false.
 * @param what the event, for the sentence when it does not come within `deadlineMs`
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = 45_000, // a machine that does much else is slow, and waits no longer where it is not
): Promise<Exclude<T, undefined | null | false>> {
  const endsAt = performance.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) {
      return seen as Exclude<T, undefined | null | false>;
    }
    if (performance.now() > endsAt) throw new Error(`${what}: not seen within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
