import type { z } from 'zod'

/**
 * Parse what dispatch itself has stored. Where the shape takes no unknown keys, those are left out: a newer dispatch may have added
 * them, and an older one that goes on with the file after a rollback reads the rest. `value` is not changed.
 */
export function parseStored<Shape extends z.ZodType>(
  shape: Shape,
  value: unknown,
): z.ZodSafeParseResult<z.output<Shape>> {
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed
  const copy = structuredClone(value)
  let isChanged = false
  for (const issue of parsed.error.issues) {
    const holder = issue.code === 'unrecognized_keys' ? findValue(copy, issue.path) : undefined
    if (issue.code !== 'unrecognized_keys' || typeof holder !== 'object' || holder === null) continue
    for (const key of issue.keys) isChanged = Reflect.deleteProperty(holder, key) || isChanged
  }
  return isChanged ? shape.safeParse(copy) : parsed
}

// --- internal ---

function findValue(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce((holder, key) => (holder as Record<PropertyKey, unknown> | undefined)?.[key], value)
}
