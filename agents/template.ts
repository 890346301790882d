/** Fill `{{name}}` in a text once, in one pass: what is filled in is never read again. A missing or unused name throws. */
export function fillTemplate(template: string, values: Record<string, string>): string {
  const used = new Set<string>()
  const filled = template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`the template asks for {{${name}}}, which nobody gave`)
    used.add(name)
    return value
  })
  const unused = Object.keys(values).filter(name => !used.has(name))
  if (unused.length > 0) throw new Error(`the template has no place for ${unused.join(', ')}`)
  return filled
}
