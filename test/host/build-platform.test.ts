import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectBuildPlatform } from '#host/build-platform.ts'

test('the platform of a program is detected from its first bytes', () => {
  const elf = (machine: number) => {
    const bytes = Buffer.alloc(64)
    bytes.writeUInt32BE(0x7f454c46, 0)
    bytes.writeUInt16LE(machine, 18)
    return bytes
  }
  const mach = (processor: number) => {
    const bytes = Buffer.alloc(64)
    bytes.writeUInt32LE(0xfeedfacf, 0)
    bytes.writeUInt32LE(processor, 4)
    return bytes
  }
  assert.equal(detectBuildPlatform(elf(62)), 'Linux on x64')
  assert.equal(detectBuildPlatform(elf(183)), 'Linux on arm64')
  assert.equal(detectBuildPlatform(elf(2)), 'Linux on another processor')
  assert.equal(detectBuildPlatform(mach(0x01000007)), 'macOS on x64')
  assert.equal(detectBuildPlatform(mach(0x0100000c)), 'macOS on arm64')
  assert.equal(detectBuildPlatform(Buffer.from('MZ'.padEnd(64, '\0'))), 'Windows')
  assert.equal(detectBuildPlatform(Buffer.from('#!/bin/sh\necho a script of some length\n')), undefined)
  assert.equal(detectBuildPlatform(Buffer.alloc(0)), undefined)
})
