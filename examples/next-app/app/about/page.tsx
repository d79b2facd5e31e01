import Link from "next/link";
import { version } from "react";

export default function About() {
  return (
    <main className="mx-auto flex max-w-xl flex-1 flex-col gap-6 p-12">
      <h1 className="text-3xl font-semibold">About</h1>
      <p className="leading-7">Rendered with React {version}.</p>
      <Link href="/" className="underline">
        Back
      </Link>
    </main>
  );
}
