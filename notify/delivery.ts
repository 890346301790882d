/** What became of a notice on one channel. `why` is empty when it was taken; it never holds the topic or the token. */
export interface Delivery {
  channel: 'desktop' | 'phone'
  ok: boolean
  why: string
  /** The ntfy server's HTTP status, when it answered at all. */
  status?: number
}

/** The promise's value, or `late` when it has not come in time. The promise itself goes on: nothing can stop it. */
export async function within<Value>(milliseconds: number, promise: Promise<Value>, late: Value): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<Value>(resolve => {
    timer = setTimeout(resolve, milliseconds, late)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}
