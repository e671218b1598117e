/** A setup that cannot go on: what is wrong in one sentence, what to do about it, and what was seen. */
export class SetupProblem extends Error {
  name = 'SetupProblem';

  /** @param seen the last lines of the tool that failed, as they came */
  constructor(sentence, remedy, seen = '') {
    super(sentence);
    this.remedy = remedy;
    this.seen = lastLines(hideHosts(seen), 15);
  }

  print() {
    const seen = this.seen === '' ? '' : `${this.seen.replace(/^/gm, '    ')}\n`;
    process.stderr.write(`${seen}switchback: ${this.message} ${this.remedy}\n`);
  }
}

export function say(line) {
  process.stdout.write(`switchback: ${line}\n`);
}

/** Which registry or mirror a machine uses is its owner's matter, and a log travels: hosts are left out. */
function hideHosts(text) {
  return text
    .replace(/\b(https?):\/\/[^/\s"']+/g, '$1://(host)')
    .replace(
      /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH)\s+(?!\()\S+/g,
      '$1 (host)',
    )
    .replace(/(Could not (?:resolve|connect to)) '?[^\s':]+(?::\d+)?'?(?: \([^)]*\))?/g, '$1 (host)');
}

function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
