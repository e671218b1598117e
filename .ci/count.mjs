// Adds up a run: `node .ci/count.mjs CHECK_STATUS TESTS_STATUS REPORT`, REPORT being Vitest's JSON. A test
// file that could not be loaded, and a test run that failed without a failed test, count as one failure each.
import { existsSync, readFileSync } from 'node:fs';

const [check, tests, path] = process.argv.slice(2);
const report = existsSync(path) ? readFileSync(path, 'utf8') : '';
const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0, testResults = [] } =
  report === '' ? {} : JSON.parse(report);

const unloaded = testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
);
for (const { name, message } of unloaded) console.log(`failed as a whole: ${name}\n${message}`);

let failed = numFailedTests + unloaded.length + (check === '0' ? 0 : 1);
// A crash of the runner, an error outside every test, or no test at all is a failure too.
if (numFailedTests + unloaded.length === 0 && (tests !== '0' || numPassedTests === 0)) failed += 1;
const passed = numPassedTests + (check === '0' ? 1 : 0);
const skipped = numPendingTests + numTodoTests;

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 ? 0 : 1;
