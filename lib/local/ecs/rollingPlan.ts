/**
 * What a rolling deployment does next: which tasks to stop and how many to start, so that never fewer than
 * the minimum are healthy and never more than the maximum exist. Pure; asked again after every change.
 */

export type PlanTask = {
  readonly id: string;
  readonly deployment: string;
  /** `leaving`: it is being stopped already and still counts against the maximum. */
  readonly state: 'starting' | 'healthy' | 'unhealthy' | 'leaving';
};

export type PlanInput = {
  readonly desired: number;
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  /** The newest deployment's id: the one that is to have all tasks. */
  readonly primary: string;
  /** Oldest first. */
  readonly tasks: readonly PlanTask[];
  /** False while starts are backed off, or the deployment has failed. */
  readonly mayStart: boolean;
};

export type Plan = {
  readonly start: number;
  readonly stop: readonly { readonly id: string; readonly why: 'unhealthy' | 'scaling' }[];
};

/** Percentages are of the desired count: the minimum rounded up, the maximum down (ECS reference). */
export function planRolling(input: PlanInput): Plan {
  const { desired, primary, tasks } = input;
  const least = Math.ceil((desired * input.minimumHealthyPercent) / 100);
  const most = Math.floor((desired * input.maximumPercent) / 100);
  const unhealthy = tasks.filter(({ state }) => state === 'unhealthy');
  const alive = tasks.filter(({ state }) => state === 'starting' || state === 'healthy');
  const ours = alive.filter(({ deployment }) => deployment === primary);
  const surplus = mostDispensableFirst(ours).slice(0, Math.max(0, ours.length - desired));
  const staying = alive.filter((task) => !surplus.includes(task));

  const old = mostDispensableFirst(staying.filter(({ deployment }) => deployment !== primary));
  let healthy = staying.filter(({ state }) => state === 'healthy').length;
  const outdated = old.filter(({ state }) => {
    if (state === 'healthy' && healthy - 1 < least) return false;
    healthy -= state === 'healthy' ? 1 : 0;
    return true;
  });

  const missing = desired - (ours.length - surplus.length);
  const room = most - tasks.length;
  const start = input.mayStart ? Math.max(0, Math.min(missing, room)) : 0;
  const scaling = [...surplus, ...outdated].map(({ id }) => ({ id, why: 'scaling' as const }));
  return { start, stop: [...unhealthy.map(({ id }) => ({ id, why: 'unhealthy' as const })), ...scaling] };
}

/** Those not yet healthy go first, then the newest. */
function mostDispensableFirst(tasks: readonly PlanTask[]): PlanTask[] {
  const rank = ({ state }: PlanTask) => (state === 'healthy' ? 1 : 0);
  return tasks.toReversed().sort((a, b) => rank(a) - rank(b));
}
