"""``python -m bigrock`` is the command line."""

from bigrock.cli import main

if __name__ == "__main__":
    main()
