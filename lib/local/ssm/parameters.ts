/** Parameters by name, every version kept up to AWS's hundred. */
import type { Clock } from '../../asl/clock.ts';
import { ServiceError } from '../service.ts';

/** Systems Manager keeps the newest 100 versions of a parameter. */
const versionsMax = 100;
/** Bytes of a standard parameter's value, and of an advanced one's. */
const valueBytesMax = { Standard: 4_096, Advanced: 8_192 };

export type ParameterType = 'String' | 'StringList' | 'SecureString';
export type Version = {
  readonly name: string;
  readonly type: ParameterType;
  readonly value: string;
  readonly version: number;
  readonly changedAt: Date;
};
export type NewValue = {
  readonly name: string;
  readonly value: string;
  readonly type?: ParameterType | undefined;
  readonly overwrite: boolean;
  readonly tier: 'Standard' | 'Advanced';
};

export class Parameters {
  readonly #clock: Clock;
  readonly #versions = new Map<string, Version[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Writes the next version. @throws ServiceError */
  put({ name, value, type, overwrite, tier }: NewValue): Version {
    if (!/^[\w.\-/]+$/.test(name) || (name.includes('/') && !name.startsWith('/'))) {
      throw new ServiceError('ValidationException', `Parameter name must be a fully qualified name: ${name}`);
    }
    if (Buffer.byteLength(value) > valueBytesMax[tier]) {
      throw new ServiceError(
        'ValidationException',
        `${tier} tier parameters support a maximum value of ${valueBytesMax[tier]} characters.`,
      );
    }
    const versions = this.#versions.get(name) ?? [];
    const newest = versions.at(-1);
    if (newest !== undefined && !overwrite) {
      const remedy = 'To overwrite this value, set the overwrite option in the request to true.';
      throw new ServiceError('ParameterAlreadyExists', `The parameter already exists. ${remedy}`);
    }
    if (newest === undefined && type === undefined) {
      throw new ServiceError(
        'ValidationException',
        'A parameter type is required when you create a parameter.',
      );
    }
    const kept = type ?? (newest as Version).type;
    const written: Version = {
      name,
      type: kept,
      value,
      version: (newest?.version ?? 0) + 1,
      changedAt: new Date(this.#clock.now()),
    };
    this.#versions.set(name, [...versions, written].slice(-versionsMax));
    return written;
  }

  /** By name or `name:version`; null when there is none. */
  find(selector: string): Version | null {
    const [name = '', wanted] = selector.split(/:(?=\d+$)/);
    const versions = this.#versions.get(name) ?? [];
    const found =
      wanted === undefined ? versions.at(-1) : versions.find(({ version }) => version === Number(wanted));
    return found ?? null;
  }

  history(name: string): readonly Version[] {
    return this.#versions.get(name) ?? [];
  }

  /** The newest versions below a path, by name. */
  under(path: string, recursive: boolean): readonly Version[] {
    const prefix = path.endsWith('/') ? path : `${path}/`;
    return this.all().filter(({ name }) => {
      return name.startsWith(prefix) && (recursive || !name.slice(prefix.length).includes('/'));
    });
  }

  all(): readonly Version[] {
    const newest = [...this.#versions.values()].flatMap((versions) => versions.slice(-1));
    return newest.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** False when there was none. */
  delete(name: string): boolean {
    return this.#versions.delete(name);
  }
}
