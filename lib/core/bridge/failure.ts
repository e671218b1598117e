/**
 * What an AWS error code asks of us. The codes are those of EventBridge, SQS, SNS and DynamoDB, of their
 * common errors, and of the entries of their batch answers; an unknown one is judged by its HTTP status.
 */

/**
 * - `retry`: the same again later may work
 * - `throttle`: the same, slower
 * - `denied`: nothing will work before somebody changes rights, names or keys
 * - `skewed`: our clock is off; right it by the answer's Date and send again
 * - `expired`: the credentials ran out; fetch new ones and send again
 * - `permanent`: this will never be taken
 */
export type FailureKind = 'retry' | 'throttle' | 'denied' | 'skewed' | 'expired' | 'permanent';

const KINDS: readonly (readonly [kind: FailureKind, codes: readonly string[]])[] = [
  [
    'throttle',
    [
      'ThrottlingException',
      'Throttling',
      'ThrottledException',
      'RequestThrottled',
      'RequestThrottledException',
      'TooManyRequestsException',
      'ProvisionedThroughputExceededException',
      'RequestLimitExceeded',
      'OverLimit',
      'SlowDown',
      'KMSThrottlingException',
      'KMSThrottling',
      'KmsThrottled',
      'LimitExceededException',
    ],
  ],
  [
    'denied',
    [
      'AccessDenied',
      'AccessDeniedException',
      'AuthorizationError',
      'AuthorizationErrorException',
      'NotAuthorized',
      'NotAuthorizedException',
      'UnauthorizedOperation',
      'UnrecognizedClientException',
      'InvalidClientTokenId',
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'InvalidSignatureException',
      'IncompleteSignature',
      'IncompleteSignatureException',
      'MissingAuthenticationToken',
      'MissingAuthenticationTokenException',
      'OptInRequired',
      'ResourceNotFoundException',
      'ResourceNotFound',
      'NotFound',
      'NotFoundException',
      'QueueDoesNotExist',
      'AWS.SimpleQueueService.NonExistentQueue',
      'QueueDeletedRecently',
      'EndpointDisabled',
      'KMSAccessDenied',
      'KMSAccessDeniedException',
      'KMSDisabled',
      'KMSDisabledException',
      'KMSNotFound',
      'KMSNotFoundException',
      'KMSInvalidState',
      'KMSInvalidStateException',
      'KMSOptInRequired',
      'KmsAccessDenied',
      'KmsDisabled',
      'KmsNotFound',
      'KmsInvalidState',
      'KmsOptInRequired',
      'NotAuthorizedForSourceException',
      'OperationDisabledException',
    ],
  ],
  ['skewed', ['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture']],
  ['expired', ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']],
  [
    'retry',
    [
      'InternalFailure',
      'InternalError',
      'InternalServerError',
      'InternalException',
      'InternalErrorException',
      'InternalServiceError',
      'ServiceUnavailable',
      'ServiceUnavailableException',
      'RequestTimeout',
      'RequestTimeoutException',
      'TransactionInProgressException',
      'Unprocessed',
    ],
  ],
];

const KIND_OF_CODE: ReadonlyMap<string, FailureKind> = new Map(
  KINDS.flatMap(([kind, codes]) => codes.map((code) => [code, kind] as const)),
);

/** An expired signature comes under the code of a wrong one: only its text tells the clock from the key. */
const SKEWED_SIGNATURE = /Signature (expired|not yet current)/;

/** @param status the HTTP status; 0 for a failed entry of an accepted request */
export function failureKind(code: string, message: string, status: number): FailureKind {
  if (code.includes('Signature') && SKEWED_SIGNATURE.test(message)) return 'skewed';
  const known = KIND_OF_CODE.get(code);
  if (known !== undefined) return known;
  if (status === 429) return 'throttle';
  if (status === 401 || status === 403) return 'denied';
  return status >= 500 ? 'retry' : 'permanent';
}

/**
 * Full jitter (AWS Architecture Blog, "Exponential backoff and jitter"): anything from nothing to the doubled
 * cap.
 * @param attempt from 1
 * @param chance in [0, 1)
 */
export function backoffMs(attempt: number, baseMs: number, capMs: number, chance: number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling * chance);
}
