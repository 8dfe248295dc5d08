import type { Container } from '../model/container.ts'
import type { Group } from '../model/group.ts'
import type { Image } from '../model/image.ts'
import type { Network } from '../model/network.ts'
import type { Person } from '../model/person.ts'
import type { Volume } from '../model/volume.ts'

/** A path inside a container. */
export type Spot = { container: Container; path: string }

/** Finds what names stand for, among what the caller may use for this command. Absent and not-yours throw the same words. */
export type Lookup = {
  container(name: string): Promise<Container>
  containerNames(): Promise<string[]>
  image(ref: string, whose: 'any' | 'own' | 'offered'): Promise<Image>
  imageRefs(whose: 'any' | 'own' | 'offered'): Promise<string[]>
  /** Among the caller's own alone. */
  volume(name: string): Promise<Volume>
  volumeNames(): Promise<string[]>
  network(name: string): Promise<Network>
  networkNames(): Promise<string[]>
  person(name: string): Promise<Person>
  personNames(): Promise<string[]>
  group(name: string): Promise<Group>
  groupNames(): Promise<string[]>
  commandNames(): string[]
  now(): Date
}
