/** Replace every `{{name}}` in one pass: a value that contains `{{…}}` stays as it is. Throws for a missing or an unused name. */
export function fillTemplate(template: string, values: Record<string, string>): string {
  const used = new Set<string>()
  const filled = template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`the template needs a value for {{${name}}}`)
    used.add(name)
    return value
  })
  const unused = Object.keys(values).filter(name => !used.has(name))
  if (unused.length > 0) throw new Error(`the template does not use ${unused.join(', ')}`)
  return filled
}
