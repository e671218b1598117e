/** Ids as ECS makes them. */
import { randomBytes, randomUUID } from 'node:crypto';

/** 32 hexadecimal digits, as at the end of a task's ARN. */
export const taskId = (): string => randomBytes(16).toString('hex');

/** `ecs-svc/` and 19 digits. */
export const deploymentId = (): string =>
  `ecs-svc/${Array.from(randomBytes(19), (byte, i) => (i === 0 ? 1 + (byte % 9) : byte % 10)).join('')}`;

export const shortId = (): string => randomUUID();
