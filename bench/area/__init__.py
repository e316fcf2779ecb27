"""An invented area: native files of every agency for a whole population that never was, and the truth about them."""
