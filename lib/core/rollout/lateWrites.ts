/**
 * A balancer and a scheduler have no conditional write: what a function sent before it was told to stop may
 * land until its timeout is over. Until then what it might undo is watched, or not trusted.
 */

/** Every function that writes to the world is ended after so long. */
export const functionSecondsMax = 60;

export type Off = {
  readonly lastOrderAt: number | null;
  readonly trafficOffAt: number | null;
  readonly initiatedAt?: number;
};

/**
 * When nothing can move the weight any more and the slot may be scaled down, epoch milliseconds. A step that
 * is tried again and again may have begun its last write just before the rollback began, long after its
 * order; and the canary's tasks may come as late, asked for once too often while it was prepared.
 */
export function quietSince(
  { lastOrderAt, trafficOffAt, initiatedAt }: Off,
  timing: { readonly scaleDownDelaySeconds: number; readonly shiftTimeoutSeconds: number },
): number {
  const lastBeganAt = Math.max(lastOrderAt ?? 0, initiatedAt ?? 0);
  const lateWriteUntil = lastBeganAt + timing.shiftTimeoutSeconds * 1000;
  const warmUntil = (trafficOffAt ?? 0) + timing.scaleDownDelaySeconds * 1000;
  return Math.max(lateWriteUntil, warmUntil);
}

/**
 * When the old side of a promotion may go: its delay is over, no write of a step can land any more, and the
 * fire exit, which may just be sending everybody there, has ended.
 */
export function leftAloneSince(
  { promotedAt, lastOrderAt }: { readonly promotedAt: number; readonly lastOrderAt: number | null },
  timing: { readonly scaleDownDelaySeconds: number; readonly shiftTimeoutSeconds: number },
  fellBackAt = 0,
): number {
  const lastBeganAt = Math.max(lastOrderAt ?? 0, fellBackAt);
  const lateWriteUntil = lastBeganAt + timing.shiftTimeoutSeconds * 1000;
  return Math.max(promotedAt + timing.scaleDownDelaySeconds * 1000, lateWriteUntil);
}
