"""The public surface of two source trees, side by side: what exists, what differs, what it breaks.

What belongs here: reading declarations out of Rust and Python sources (nothing is ever executed),
pairing those of two trees, classing each difference, deciding go or no-go by stated rules, and writing
the answer down. What does not: anything of simulation; this package and the rest of `sim` share only
`sim.base.errors`.

    text of files   trees
    declarations    rust_text, rust_uses, rust_items, rust_file, rust_crate; python_items; read
    comparison      renames, pair, rules, compare
    judgement       require, path, decide, study
    paper           report, render
    all of it       survey
"""
