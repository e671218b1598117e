/** Why a definition cannot be run: one sentence, and the place it is about. */

export type PathSegment = string | number;

export class MachineRefused extends Error {
  override readonly name = 'MachineRefused';
  /** From the root of the definition, e.g. `['States', 'Pick', 'Choices', 1, 'Condition']`. */
  readonly path: readonly PathSegment[];
  readonly sentence: string;

  constructor(path: readonly PathSegment[], sentence: string) {
    super(path.length === 0 ? sentence : `${dotted(path)}: ${sentence}`);
    this.path = path;
    this.sentence = sentence;
  }
}

function dotted(path: readonly PathSegment[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index ? '.' : ''}${part}`))
    .join('');
}
