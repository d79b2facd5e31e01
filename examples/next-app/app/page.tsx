import Link from "next/link";
import { Counter } from "./counter";

export default function Home() {
  return (
    <main className="mx-auto flex max-w-xl flex-1 flex-col gap-6 p-12">
      <h1 className="text-3xl font-semibold">Installed by deka</h1>
      <p className="leading-7">
        If you can read this, Next.js, React and Tailwind found all their packages.
      </p>
      <Counter />
      <Link href="/about" className="underline">
        About this page
      </Link>
    </main>
  );
}
