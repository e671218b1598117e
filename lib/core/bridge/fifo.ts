/** Whether a queue or topic keeps order: SQS and SNS tell by the name, and allow it to no other. */
export function isFifo(address: string): boolean {
  return address.endsWith('.fifo');
}
