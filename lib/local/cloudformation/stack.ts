/** A stack as it is kept: its template, what was made of it, and what happened. */
import type { Made, Properties } from './resourceType.ts';
import type { Template } from './template.ts';

export type StackStatus =
  | 'CREATE_IN_PROGRESS'
  | 'CREATE_COMPLETE'
  | 'CREATE_FAILED'
  | 'ROLLBACK_IN_PROGRESS'
  | 'ROLLBACK_COMPLETE'
  | 'ROLLBACK_FAILED'
  | 'UPDATE_IN_PROGRESS'
  | 'UPDATE_COMPLETE'
  | 'UPDATE_ROLLBACK_IN_PROGRESS'
  | 'UPDATE_ROLLBACK_COMPLETE'
  | 'UPDATE_ROLLBACK_FAILED'
  | 'DELETE_IN_PROGRESS'
  | 'DELETE_COMPLETE'
  | 'DELETE_FAILED';

export type StackResource = Made & {
  readonly type: string;
  /** As they were resolved when it was made. */
  readonly properties: Properties;
  readonly status: string;
  readonly changedAt: number;
};

export type StackEvent = {
  readonly eventId: string;
  readonly at: number;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | null;
};

export type StackOutput = {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
  readonly exportName: string | undefined;
};

export type Stack = {
  readonly name: string;
  readonly id: string;
  readonly createdAt: number;
  updatedAt: number | null;
  status: StackStatus;
  reason: string | null;
  body: string;
  template: Template;
  parameters: Readonly<Record<string, string>>;
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[];
  readonly resources: Map<string, StackResource>;
  /** Newest last. */
  readonly events: StackEvent[];
  outputs: readonly StackOutput[];
};
